"""`python -m tests.referrals.notifications.record`: write the snapshots of the messages anew.

Read the difference before committing it: players read these words.
"""

from referrals.notifications.languages import LANGUAGES
from tests.referrals.notifications.samples import SNAPSHOTS, render_all

if __name__ == "__main__":
    for tag in LANGUAGES:
        (SNAPSHOTS / f"{tag}.txt").write_text(render_all(tag))
