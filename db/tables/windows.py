"""How often somebody asked lately."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table


class RateWindow(Table):
    """Hits on one limit by one key until the window ends; unlogged, so a crash forgets them."""

    __tablename__ = "rate_windows"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    hits: Mapped[int]
    ends_at: Mapped[datetime]
    __table_args__ = (Index("ix_rate_windows_ends", "ends_at"),)
