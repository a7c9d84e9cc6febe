select count(*) as changes, count(*) >= $min_text_changes as due
from catalogue_changes
where text_changed
