"""The nearest of one domain, however rare, through an index (docs/adr/0008-nearest-without-a-map.md)."""

from django.db import migrations

# Two points of the earth are less than 500 degrees apart, two planes at least 640. A code that falls into another's
# plane is refused by the unique index; of a hundred codes one in 200 installations would be.
FORWARD = """
CREATE FUNCTION catalogue_plane(domain text) RETURNS integer IMMUTABLE PARALLEL SAFE STRICT
RETURN hashtext(domain) & 1048575;

CREATE FUNCTION catalogue_spot(domain text, longitude double precision, latitude double precision) RETURNS point
IMMUTABLE PARALLEL SAFE
RETURN point(longitude + 1000::double precision * catalogue_plane(domain), latitude);

CREATE UNIQUE INDEX catalogue_domain_plane ON catalogue_domain (catalogue_plane(code));
CREATE INDEX catalogue_place_spot ON catalogue_place USING gist (catalogue_spot(domain_id, longitude, latitude))
    WHERE is_open AND longitude IS NOT NULL AND latitude IS NOT NULL;
"""
BACKWARD = """
DROP INDEX catalogue_place_spot;
DROP INDEX catalogue_domain_plane;
DROP FUNCTION catalogue_spot;
DROP FUNCTION catalogue_plane;
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0003_places")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
