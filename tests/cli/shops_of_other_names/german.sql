-- A shop that names everything in German, with times that have no zone.
create table kunden (kundennummer varchar(10) primary key, vorname text, nachname text, plz varchar(5), angelegt_am timestamp, alter int);
create table artikel (artikelnummer varchar(10) primary key, bezeichnung text, beschreibung text, warengruppe text, farbe text, preis numeric(10,2), lagerbestand int, aktiv boolean);
create table bestellungen (bestellnummer bigint primary key, kundennummer varchar(10) references kunden, bestelldatum timestamp, status text, waehrung char(3));
create table bestellpositionen (id bigserial primary key, bestellnummer bigint references bestellungen, artikelnummer varchar(10) references artikel, menge int, einzelpreis numeric(10,2), geaendert_am timestamp);
create table bewertungen (id bigserial primary key, kundennummer varchar(10) references kunden, artikelnummer varchar(10) references artikel, sterne int, text text, erstellt_am timestamp);
create table retouren (id bigserial primary key, bestellnummer bigint references bestellungen, artikelnummer varchar(10), menge int, datum timestamp);
create table klicks (id bigserial primary key, sitzung text, besucher text, kundennummer varchar(10), artikelnummer varchar(10), aktion text, zeitpunkt timestamp);
insert into kunden select 'K'||lpad(i::text,5,'0'), 'a','b','10115', timestamp '2024-01-01', 30 from generate_series(1,30) i;
insert into artikel select 'A'||lpad(i::text,5,'0'), 'Ding '||i, 'schön', 'Gruppe', 'rot', 9.99, 4, true from generate_series(1,30) i;
insert into bestellungen select i, 'K'||lpad((1+i%30)::text,5,'0'), timestamp '2024-03-01'+i*interval '1 hour', (array['bezahlt','versendet','storniert','Retoure'])[1+i%4], 'EUR' from generate_series(1,100) i;
insert into bestellpositionen (bestellnummer, artikelnummer, menge, einzelpreis) select i, 'A'||lpad((1+i%30)::text,5,'0'), 1+i%3, 9.99 from generate_series(1,100) i;
insert into bewertungen (kundennummer, artikelnummer, sterne, text, erstellt_am) select 'K00001','A00001',5,'gut','2024-03-05' from generate_series(1,10);
insert into retouren (bestellnummer, artikelnummer, menge, datum) values (1,'A00002',1,'2024-03-09');
insert into klicks (sitzung, besucher, aktion, zeitpunkt) select 's'||i, 'v'||i, (array['seitenaufruf','warenkorb'])[1+i%2], '2024-03-09' from generate_series(1,20) i;
