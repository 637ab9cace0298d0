"""What the database keeps by itself: parents within one taxonomy, exact counts, and context without a table."""

from django.db import migrations

PARENT_IN_SAME_TAXONOMY = """
ALTER TABLE products_category
    ADD CONSTRAINT products_category_parent_in_same_taxonomy
    FOREIGN KEY (parent_id, taxonomy_id) REFERENCES products_category (id, taxonomy_id)
    DEFERRABLE INITIALLY DEFERRED;
"""

# Folding needs the rows that others have committed since this transaction began, which READ COMMITTED shows.
COUNT_FUNCTION = """
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

CREATE FUNCTION products_count_changes() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER products_count_inserted AFTER INSERT ON products_product
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION products_count_changes();
CREATE TRIGGER products_count_deleted AFTER DELETE ON products_product
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION products_count_changes();
CREATE TRIGGER products_count_updated AFTER UPDATE ON products_product
    FOR EACH STATEMENT EXECUTE FUNCTION products_count_changes();
CREATE TRIGGER products_count_truncated AFTER TRUNCATE ON products_product
    FOR EACH STATEMENT EXECUTE FUNCTION products_count_changes();
"""

COUNT_FUNCTION_BACK = """
DROP TRIGGER products_count_inserted ON products_product;
DROP TRIGGER products_count_deleted ON products_product;
DROP TRIGGER products_count_updated ON products_product;
DROP TRIGGER products_count_truncated ON products_product;
DROP FUNCTION products_count_changes();
DROP FUNCTION products_count_delta(bigint);
"""

# Statement triggers of pghistory call this to write a row of context; the events hold their context themselves.
NO_CONTEXT_TABLE = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS pghistory_context.id%TYPE
    LANGUAGE sql STABLE AS $$ SELECT NULL::uuid $$;
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial"), ("pghistory", "0007_auto_20250421_0444")]

    operations = [
        migrations.RunSQL(
            PARENT_IN_SAME_TAXONOMY,
            "ALTER TABLE products_category DROP CONSTRAINT products_category_parent_in_same_taxonomy;",
        ),
        migrations.RunSQL(COUNT_FUNCTION, COUNT_FUNCTION_BACK),
        migrations.RunSQL(NO_CONTEXT_TABLE, migrations.RunSQL.noop),
    ]
