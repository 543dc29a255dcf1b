"""What the draft kept as JSON goes into rows."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T20:52:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "What the draft kept as JSON goes into rows"


class RawTable(Table):
    """Carries plain SQL; no braces, which the ORM takes for placeholders."""


DAYS = (
    "INSERT INTO draft_days (kind, first, last) SELECT 'holiday', day, day FROM draft, unnest(holidays) AS day",
    "INSERT INTO draft_days (kind, first, last) SELECT 'workday', day, day FROM draft, unnest(workdays) AS day",
)
MEASURES = (
    """
    UPDATE draft_indicator AS i SET
        method = m ->> 'method', measured_on = (SELECT id FROM draft_event_type WHERE code = m ->> 'on'),
        measured_field = coalesce(m ->> 'field', ''), measure_else = (m ->> 'else')::numeric,
        measure_order = m ->> 'order', efficacy_bad = (m -> 'efficacy' ->> 'bad')::numeric,
        efficacy_good = (m -> 'efficacy' ->> 'good')::numeric, raters_missing = m -> 'raters' ->> 'missing'
    FROM (SELECT id, nullif(measure_json, '')::json AS m FROM draft_indicator WHERE measure_json <> '') AS old
    WHERE old.id = i.id
    """,
    """
    INSERT INTO draft_measure_step (indicator, place, value, points)
    SELECT id, n, (pair ->> 0)::numeric, (pair ->> 1)::numeric
    FROM draft_indicator, json_array_elements(nullif(measure_json, '')::json -> 'bands') WITH ORDINALITY AS t (pair, n)
    WHERE measure_json <> ''
    """,
    """
    INSERT INTO draft_measure_step (indicator, place, value, points)
    SELECT id, n, (pair ->> 0)::numeric, (pair ->> 1)::numeric
    FROM draft_indicator,
         LATERAL (VALUES (1, nullif(measure_json, '')::json -> 'linear' -> 'from'),
                         (2, nullif(measure_json, '')::json -> 'linear' -> 'to')) AS t (n, pair)
    WHERE measure_json <> '' AND pair IS NOT NULL
    """,
    """
    INSERT INTO draft_measure_step (indicator, place, value, points)
    SELECT id, n, t.key::numeric, t.value::numeric
    FROM draft_indicator,
         json_each_text(nullif(measure_json, '')::json -> 'milestone') WITH ORDINALITY AS t (key, value, n)
    WHERE measure_json <> ''
    """,
    """
    INSERT INTO draft_measure_step (indicator, place, points)
    SELECT id, n, points::numeric
    FROM draft_indicator,
         json_array_elements_text(nullif(measure_json, '')::json -> 'rank') WITH ORDINALITY AS t (points, n)
    WHERE measure_json <> ''
    """,
    """
    INSERT INTO draft_measure_step (indicator, place, rater_group, weight)
    SELECT id, n, t.key, t.value::numeric
    FROM draft_indicator,
         json_each_text(nullif(measure_json, '')::json -> 'raters' -> 'weights') WITH ORDINALITY AS t (key, value, n)
    WHERE measure_json <> ''
    """,
)
RULES = (
    """
    UPDATE draft_rule AS r SET
        compares = CASE WHEN f ->> 'differentiation' = 'total' THEN 'total'
                        WHEN f -> 'differentiation' IS NOT NULL THEN 'indicators' END,
        among = f ->> 'among', per = coalesce(f ->> 'per', ''), at_least = (f ->> 'at_least')::integer,
        progress = f ->> 'progress', "both" = coalesce((f ->> 'both')::boolean, false), veto_to = (f ->> 'to')::numeric,
        groups = CASE WHEN f -> 'groups' IS NULL THEN ARRAY[]::varchar[]
                      ELSE ARRAY(SELECT json_array_elements_text(f -> 'groups')) END
    FROM (SELECT id, nullif(further_json, '')::json AS f FROM draft_rule WHERE further_json <> '') AS old
    WHERE old.id = r.id
    """,
    """
    INSERT INTO draft_compared (rule, indicator, place)
    SELECT r.id, i.id, t.n
    FROM draft_rule AS r,
         json_array_elements_text(CASE WHEN compares = 'indicators'
                                       THEN nullif(further_json, '')::json -> 'differentiation' END)
             WITH ORDINALITY AS t (code, n)
    JOIN draft_indicator AS i ON i.code = t.code
    WHERE r.further_json <> ''
    """,
    """
    INSERT INTO draft_consequence (rule, verdict, charge, points, all_equal, range_below, range_above, cv_below,
                                   cv_above, full_share_at_least, distinct_below)
    SELECT id, verdict, c ->> 'charge', (c ->> 'points')::numeric, (c -> 'when' ->> 'all_equal')::boolean,
           (c -> 'when' ->> 'range_below')::numeric, (c -> 'when' ->> 'range_above')::numeric,
           (c -> 'when' ->> 'cv_below')::numeric, (c -> 'when' ->> 'cv_above')::numeric,
           (c -> 'when' ->> 'full_share_at_least')::numeric, (c -> 'when' ->> 'distinct_below')::integer
    FROM draft_rule,
         LATERAL (VALUES ('undifferentiated', nullif(further_json, '')::json -> 'undifferentiated'),
                         ('differentiated', nullif(further_json, '')::json -> 'differentiated')) AS t (verdict, c)
    WHERE further_json <> '' AND c IS NOT NULL
    """,
)
STANDING = (
    "UPDATE draft SET floor = (nullif(standing_json, '')::json ->> 'floor')::numeric WHERE standing_json <> ''",
    """
    INSERT INTO draft_scorecard (place, kind, group_code, post)
    SELECT n, card -> 'for' ->> 'kind', coalesce(card -> 'for' ->> 'group', ''), coalesce(card -> 'for' ->> 'post', '')
    FROM draft, json_array_elements(nullif(scorecards_json, '')::json) WITH ORDINALITY AS t (card, n)
    WHERE scorecards_json <> ''
    """,
    """
    INSERT INTO draft_part (scorecard, place, title, weight, category)
    SELECT s.id, p.n, coalesce(part ->> 'title', ''), (part ->> 'weight')::numeric, coalesce(part ->> 'category', '')
    FROM draft, json_array_elements(nullif(scorecards_json, '')::json) WITH ORDINALITY AS t (card, n)
    JOIN draft_scorecard AS s ON s.place = t.n,
    json_array_elements(card -> 'parts') WITH ORDINALITY AS p (part, n) WHERE scorecards_json <> ''
    """,
    """
    INSERT INTO draft_linkage (place, post, share)
    SELECT n, t.key, t.value::numeric
    FROM draft, json_each_text(nullif(standing_json, '')::json -> 'linkage') WITH ORDINALITY AS t (key, value, n)
    WHERE standing_json <> ''
    """,
    """
    INSERT INTO draft_tier (place, share)
    SELECT n, share::numeric
    FROM draft,
         json_array_elements_text(nullif(standing_json, '')::json -> 'tiers' -> 'shares')
             WITH ORDINALITY AS t (share, n)
    WHERE standing_json <> ''
    """,
    """
    INSERT INTO draft_award (place, code, title, kind, top_share, quota, per)
    SELECT n, award ->> 'code', coalesce(award ->> 'title', ''), award ->> 'kind', (award ->> 'top_share')::numeric,
           (award ->> 'quota')::integer, coalesce(award ->> 'per', '')
    FROM draft, json_array_elements(nullif(standing_json, '')::json -> 'awards') WITH ORDINALITY AS t (award, n)
    WHERE standing_json <> ''
    """,
)


async def forwards() -> MigrationManager:
    """Move it."""
    manager = MigrationManager(migration_id=ID, app_name="rules", description=DESCRIPTION)

    async def move() -> None:
        for statement in (*DAYS, *MEASURES, *RULES, *STANDING):
            await RawTable.raw(statement)

    manager.add_raw(move)
    return manager
