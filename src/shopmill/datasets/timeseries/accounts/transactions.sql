-- All that were not rejected: that the grids have them is checked day by day, on the days that a run computes.
select
  cast(null as varchar) as kind,
  (select row_count from input_rows where table_name = 'transactions')
  - (select count(*) from rejects where source_table = 'transactions') as row_count
