"""Database URLs: what is understood, and what is refused by name at the start."""

import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from db.address import DatabaseAddress, DatabaseAddressError
from runtime.settings import DatabaseSettings, MigrationSettings

HOST = "postgresql+asyncpg://someone:a%2Fsecret@db.example:6432/referrals"


def test_reads_the_parts_of_a_url() -> None:
    arguments = DatabaseAddress.parse(f"{HOST}?sslmode=require").connect_arguments

    assert (arguments["host"], arguments["port"]) == (["db.example"], [6432])
    assert (arguments["user"], arguments["password"]) == ("someone", "a/secret")
    assert arguments["database"] == "referrals"


def test_reads_a_url_as_files_of_secrets_end() -> None:
    assert DatabaseAddress.parse(f" {HOST}\n").connect_arguments["database"] == "referrals"


def test_reads_several_hosts() -> None:
    address = DatabaseAddress.parse(
        "postgresql+asyncpg://u:p@/d?host=one:5433&host=two&host=[::1]:7&host=::1"
        "&target_session_attrs=read-write"
    )

    assert address.connect_arguments["host"] == ["one", "two", "::1", "::1"]
    assert address.connect_arguments["port"] == [5433, 5432, 7, 5432]
    assert address.connect_arguments["target_session_attrs"] == "read-write"


@pytest.mark.parametrize(
    "query",
    [
        *("ssl=prefer", "sslmode=disable", "sslrootcert=system&sslmode=verify-full"),
        *("application_name=courier", "options=-csearch_path%3Dpublic", "connect_timeout=3"),
        *("command_timeout=60", "prepared_statement_cache_size=0", "statement_cache_size=0"),
        *("pooler=session", "ssl_min_protocol_version=TLSv1.3&ssl=require"),
    ],
)
def test_understands(query: str) -> None:
    DatabaseSettings.model_validate({"database_url": f"{HOST}?{query}"})


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("sslmod=require", "sslmod"),
        ("pool_size=3", "pool_size"),
        ("sslmode=strict", "sslmode"),
        ("ssl=true", "ssl must"),
        ("ssl=require&sslmode=require", "ssl"),
        ("sslmode=verify-full", "sslrootcert"),
        ("sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "sslrootcert"),
        ("command_timeout=soon", "command_timeout"),
        ("target_session_attrs=master", "target_session_attrs"),
        ("application_name=a&application_name=b", "application_name"),
        ("pooler=transaction", "pooler"),
        ("sslmode=", "sslmode"),
        ("sslmode", "sslmode"),
        ("application_name=", "application_name"),
        ("SSLMODE=require", "SSLMODE"),
        ("sslmode=Require", "sslmode"),
        ("connect_timeout=0", "from 1"),
        ("command_timeout=0", "from 1"),
        ("connect_timeout=%D9%A3", "connect_timeout"),
        ("port=0", "port"),
        ("host=db:99999", "99999"),
        ("host=one,,two", "host"),
        ("host=db:54x2", "db:54x2"),
        ("application_name=a%00b", "application_name"),
        (f"sslmode=require&sslkey={__file__}", "sslcert"),
        (f"sslmode=require&sslcert={__file__}", "sslcert"),
        (f"sslmode=verify-full&sslrootcert={__file__}", "sslrootcert"),
        ("ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2", "ssl_min"),
        ("pgbouncer=true", "pgbouncer"),
        ("channel_binding=require", "channel_binding"),
    ],
)
def test_refuses_by_name_and_without_the_password(query: str, named: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        DatabaseSettings.model_validate({"database_url": f"{HOST}?{query}"})
    with pytest.raises(ValidationError):
        MigrationSettings.model_validate({"owner_database_url": f"{HOST}?{query}"})

    message = refusal.value.errors(include_input=False)[0]["msg"]
    assert named in message
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "db.example",
        "mysql://u@h/d",
        "postgresql+asyncpg://u@h:x/d",
        "postgresql+asyncpg://u@h:0/d",
    ],
)
def test_refuses_what_is_no_database_url(url: str) -> None:
    with pytest.raises(DatabaseAddressError):
        DatabaseAddress.parse(url)


def test_trusts_the_system_s_authorities(tmp_path: Path) -> None:
    dsn = DatabaseAddress.parse(f"{HOST}?ssl=verify-full&sslrootcert=system").connect_arguments[
        "dsn"
    ]
    assert "sslmode=verify-full" in dsn
    assert str(ssl.get_default_verify_paths().cafile).rpartition("/")[2] in dsn
    assert str(tmp_path) not in dsn
