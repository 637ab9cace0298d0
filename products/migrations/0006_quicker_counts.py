"""Counts products with one function instead of two, and with random numbers that PostgreSQL has at hand."""

from django.db import migrations

# A UUID is made of bytes that PostgreSQL may have to open a device of the system for; a double has 53 random bits.
MARK = "(random() * 9007199254740992)::bigint"

# Folding needs the rows that others have committed since this transaction began, which READ COMMITTED shows.
ONE_FUNCTION = f"""
CREATE OR REPLACE FUNCTION products_count_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change bigint := 0;
    row_id bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        change := (SELECT count(*) FROM changed_rows);
    ELSIF TG_OP = 'DELETE' THEN
        change := -(SELECT count(*) FROM changed_rows);
    ELSIF TG_OP = 'TRUNCATE' THEN
        change := -(SELECT coalesce(sum(delta), 0) FROM products_productcountdelta);
    END IF;
    INSERT INTO products_productcountdelta (delta, mark) VALUES (change, {MARK}) RETURNING id INTO row_id;
    IF row_id % 128 = 0
        AND current_setting('transaction_isolation') = 'read committed'
        AND pg_try_advisory_xact_lock(hashtextextended('products_productcountdelta', 0))
    THEN
        WITH folded AS (DELETE FROM products_productcountdelta RETURNING delta)
        INSERT INTO products_productcountdelta (delta, mark)
        SELECT coalesce(sum(delta), 0), {MARK} FROM folded;
    END IF;
    RETURN NULL;
END $$;

DROP FUNCTION products_count_delta(bigint);
"""

TWO_FUNCTIONS = """
CREATE FUNCTION products_count_delta(change bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    row_id bigint;
BEGIN
    INSERT INTO products_productcountdelta (delta, mark)
    VALUES (change, hashtextextended(gen_random_uuid()::text, 0))
    RETURNING id INTO row_id;
    IF row_id % 128 = 0
        AND current_setting('transaction_isolation') = 'read committed'
        AND pg_try_advisory_xact_lock(hashtextextended('products_productcountdelta', 0))
    THEN
        WITH folded AS (DELETE FROM products_productcountdelta RETURNING delta)
        INSERT INTO products_productcountdelta (delta, mark)
        SELECT coalesce(sum(delta), 0), hashtextextended(gen_random_uuid()::text, 0) FROM folded;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION products_count_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM products_count_delta((SELECT count(*) FROM changed_rows));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM products_count_delta(-(SELECT count(*) FROM changed_rows));
    ELSIF TG_OP = 'TRUNCATE' THEN
        PERFORM products_count_delta(-(SELECT coalesce(sum(delta), 0) FROM products_productcountdelta)::bigint);
    ELSE
        PERFORM products_count_delta(0);
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0005_keys_of_imports")]

    operations = [migrations.RunSQL(ONE_FUNCTION, TWO_FUNCTIONS)]
