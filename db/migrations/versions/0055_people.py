"""People: one table whatever door they come through, and approvals that compare their ids.

The view `console_people` serves processes of the release before, which know the table by that name.
"""

from typing import Final

from alembic import op

revision = "0055"
down_revision = "0053"

RENAMED: Final = (
    ("pk_console_people", "pk_people"),
    ("uq_console_people_person", "uq_people_person"),
)
COLUMNS: Final = ("person_id", "proposer_id")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE console_people RENAME TO people")
    for before, after in RENAMED:
        op.execute(f"ALTER TABLE people RENAME CONSTRAINT {before} TO {after}")
    # A key's owner may have a longer name; neither the rows nor the index are written anew.
    op.execute("ALTER TABLE people ALTER COLUMN person TYPE TEXT, ALTER COLUMN name TYPE TEXT")
    op.execute("CREATE VIEW console_people AS SELECT id, person, name, created_at FROM people")
    op.execute(f"GRANT SELECT, INSERT ON console_people TO {_role()}")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE approvals ADD COLUMN {column} UUID")
        op.execute(
            f"ALTER TABLE approvals ADD CONSTRAINT fk_approvals_{column}"
            f" FOREIGN KEY ({column}) REFERENCES people (id) NOT VALID"
        )
    op.execute(
        "ALTER TABLE approvals ADD CONSTRAINT ck_approvals_two_people"
        " CHECK (proposer_id <> person_id) NOT VALID"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE approvals DROP COLUMN {column}")
    op.execute("DROP VIEW console_people")
    op.execute("ALTER TABLE people RENAME TO console_people")
    for before, after in RENAMED:
        op.execute(f"ALTER TABLE console_people RENAME CONSTRAINT {after} TO {before}")
    # Names longer than 200 characters stay as they are: the earlier release reads texts, too.


def _role() -> str:
    config = op.get_context().config
    name = config.attributes["application_role"] if config else "referrals_app"
    return op.get_bind().dialect.identifier_preparer.quote(name)
