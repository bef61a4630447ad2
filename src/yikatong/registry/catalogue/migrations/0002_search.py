"""Places found by any part of their words, through an index (docs/adr/0007-search-of-places.md)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION catalogue_fold(words text) RETURNS text IMMUTABLE PARALLEL SAFE STRICT
RETURN lower(normalize(words, NFKC));

CREATE FUNCTION catalogue_grams(name text, kind text, address text, domain text, division text, is_open boolean)
RETURNS text[] IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(DISTINCT gram) FROM (
        SELECT substr(field, at, size) AS gram
        FROM unnest(ARRAY[catalogue_fold(name), catalogue_fold(kind), catalogue_fold(address)]) AS field,
            generate_series(1, 2) AS size, generate_series(1, length(field) - size + 1) AS at
        UNION ALL SELECT unnest(ARRAY[
            'domain:' || domain, 'city:' || left(division, 4), 'city:' || left(division, 6), 'open:' || is_open])
    ) grams WHERE gram = btrim(gram);
END;

CREATE INDEX catalogue_place_grams ON catalogue_place
    USING gin (catalogue_grams(name, kind, address, domain_id, division_code, is_open));
CREATE INDEX catalogue_place_name ON catalogue_place (catalogue_fold(name) text_pattern_ops);
"""
BACKWARD = """
DROP INDEX catalogue_place_name;
DROP INDEX catalogue_place_grams;
DROP FUNCTION catalogue_grams;
DROP FUNCTION catalogue_fold;
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
