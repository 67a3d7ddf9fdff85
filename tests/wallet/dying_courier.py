"""A courier that is killed when the wallet has answered and nothing is recorded yet."""

import asyncio
import os
import signal
import sys

from courier.payer import Payer
from db.engine import Database
from integrations.wallet_http import HttpWallet
from referrals.wallet.port import PaymentRequest, Posted, Refused


class DyingWallet(HttpWallet):
    async def post(self, request: PaymentRequest) -> Posted | Refused:
        await super().post(request)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("killed")


async def main(database_url: str, wallet_url: str, token: str) -> None:
    async with Database.open(database_url, pool_size=4) as database:
        await Payer(database, DyingWallet(wallet_url, token=token)).pay()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
