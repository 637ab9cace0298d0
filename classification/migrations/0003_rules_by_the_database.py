"""What the database keeps by itself: what there is to answer from, and no rule in force without its category."""

from django.db import migrations

CATEGORY_IN_SAME_TAXONOMY = """
ALTER TABLE classification_{table}
    ADD CONSTRAINT classification_{table}_category_in_same_taxonomy
    FOREIGN KEY (category_id, taxonomy_id) REFERENCES products_category (id, taxonomy_id)
    DEFERRABLE INITIALLY DEFERRED;
"""
CATEGORY_IN_SAME_TAXONOMY_BACK = """
ALTER TABLE classification_{table} DROP CONSTRAINT classification_{table}_category_in_same_taxonomy;
"""

# Hits are counted without a change of the rule. A rule that goes with its taxonomy must not bring the row back.
RULES_REVISION = """
CREATE FUNCTION classification_count_rule_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE classification_answersources SET rules_revision = rules_revision + 1
        WHERE taxonomy_id = OLD.taxonomy_id;
    ELSE
        INSERT INTO classification_answersources AS sources (taxonomy_id, rules_revision, has_precedents)
        VALUES (NEW.taxonomy_id, 1, false)
        ON CONFLICT (taxonomy_id) DO UPDATE SET rules_revision = sources.rules_revision + 1;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER classification_rule_changed
    AFTER INSERT OR DELETE
    OR UPDATE OF name, conditions, category_id, position, enabled, accepted, corrected
    ON classification_rule
    FOR EACH ROW EXECUTE FUNCTION classification_count_rule_change();
"""
RULES_REVISION_BACK = """
DROP TRIGGER classification_rule_changed ON classification_rule;
DROP FUNCTION classification_count_rule_change();
"""

HAS_PRECEDENTS = """
CREATE FUNCTION classification_note_precedent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO classification_answersources AS sources (taxonomy_id, rules_revision, has_precedents)
    VALUES (NEW.taxonomy_id, 0, true)
    ON CONFLICT (taxonomy_id) DO UPDATE SET has_precedents = true WHERE NOT sources.has_precedents;
    RETURN NULL;
END $$;

CREATE TRIGGER classification_precedent_made AFTER INSERT ON classification_precedent
    FOR EACH ROW EXECUTE FUNCTION classification_note_precedent();
"""
HAS_PRECEDENTS_BACK = """
DROP TRIGGER classification_precedent_made ON classification_precedent;
DROP FUNCTION classification_note_precedent();
"""

DISABLE_WITHOUT_CATEGORY = """
CREATE FUNCTION classification_disable_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.enabled := false;
    NEW.disabled_reason := 'Its category was deleted: '
        || coalesce((SELECT path FROM products_category WHERE id = OLD.category_id), '');
    RETURN NEW;
END $$;

CREATE TRIGGER classification_rule_lost_category BEFORE UPDATE OF category_id ON classification_rule
    FOR EACH ROW WHEN (OLD.category_id IS NOT NULL AND NEW.category_id IS NULL)
    EXECUTE FUNCTION classification_disable_rule();
"""
DISABLE_WITHOUT_CATEGORY_BACK = """
DROP TRIGGER classification_rule_lost_category ON classification_rule;
DROP FUNCTION classification_disable_rule();
"""


class Migration(migrations.Migration):
    dependencies = [("classification", "0002_rules_and_precedents")]

    operations = [
        *(
            migrations.RunSQL(
                CATEGORY_IN_SAME_TAXONOMY.format(table=table),
                CATEGORY_IN_SAME_TAXONOMY_BACK.format(table=table),
            )
            for table in ("rule", "precedent")
        ),
        migrations.RunSQL(RULES_REVISION, RULES_REVISION_BACK),
        migrations.RunSQL(HAS_PRECEDENTS, HAS_PRECEDENTS_BACK),
        migrations.RunSQL(DISABLE_WITHOUT_CATEGORY, DISABLE_WITHOUT_CATEGORY_BACK),
    ]
