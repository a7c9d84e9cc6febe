-- Pseudo-random numbers that depend on a row's key and the seed alone: the same rows whatever the number of threads.
create or replace macro chance(key, salt) as (hash(key, salt, getvariable('seed')) >> 11)::double / 9007199254740992;
-- One element of a list, by chance.
create or replace macro pick(words, key, salt) as words[1 + floor(chance(key, salt) * len(words))::int];
create or replace macro hexadecimal(number) as lpad(lower(hex(number)), 16, '0');
