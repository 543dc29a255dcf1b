from enum import Enum

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import BigInt, ForeignKey, Text, Varchar
from piccolo.columns.indexes import IndexMethod
from piccolo.table import Table


class Remark(Table, tablename="remark", schema=None):
    hash = Varchar(
        length=64,
        default=None,
        null=False,
        primary_key=True,
        unique=False,
        index=False,
        index_method=IndexMethod.btree,
        choices=None,
        db_column_name=None,
        secret=False,
    )


ID = "2026-11-26T11:11:58:598455"
VERSION = "1.38.0"
DESCRIPTION = "Free text beside the chain"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="ledger", description=DESCRIPTION)

    manager.add_table(class_name="Remark", tablename="remark", schema=None, columns=None)

    manager.add_column(
        table_class_name="Remark",
        tablename="remark",
        column_name="hash",
        db_column_name="hash",
        column_class_name="Varchar",
        column_class=Varchar,
        params={
            "length": 64,
            "default": None,
            "null": False,
            "primary_key": True,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Remark",
        tablename="remark",
        column_name="salt",
        db_column_name="salt",
        column_class_name="Varchar",
        column_class=Varchar,
        params={
            "length": 32,
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Remark",
        tablename="remark",
        column_name="text",
        db_column_name="text",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Remark",
        tablename="remark",
        column_name="removed_by",
        db_column_name="removed_by",
        column_class_name="BigInt",
        column_class=BigInt,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Act",
        tablename="act",
        column_name="remark",
        db_column_name="remark",
        column_class_name="ForeignKey",
        column_class=ForeignKey,
        params={
            "references": Remark,
            "on_delete": OnDelete.restrict,
            "on_update": OnUpdate.cascade,
            "target_column": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.alter_column(
        table_class_name="Entry",
        tablename="entry",
        column_name="cause_act",
        db_column_name="cause_act",
        params={
            "choices": Enum(
                "ActKind",
                {
                    "event": "event",
                    "retraction": "retraction",
                    "correction": "correction",
                    "publication": "publication",
                    "organisation": "organisation",
                    "periods": "periods",
                    "settlement": "settlement",
                    "closing": "closing",
                    "reopening": "reopening",
                    "appeal": "appeal",
                    "removal": "removal",
                },
            )
        },
        old_params={
            "choices": Enum(
                "ActKind",
                {
                    "event": "event",
                    "retraction": "retraction",
                    "correction": "correction",
                    "publication": "publication",
                    "organisation": "organisation",
                    "periods": "periods",
                    "settlement": "settlement",
                    "closing": "closing",
                    "reopening": "reopening",
                },
            )
        },
        column_class=Varchar,
        old_column_class=Varchar,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Act",
        tablename="act",
        column_name="kind",
        db_column_name="kind",
        params={
            "choices": Enum(
                "ActKind",
                {
                    "event": "event",
                    "retraction": "retraction",
                    "correction": "correction",
                    "publication": "publication",
                    "organisation": "organisation",
                    "periods": "periods",
                    "settlement": "settlement",
                    "closing": "closing",
                    "reopening": "reopening",
                    "appeal": "appeal",
                    "removal": "removal",
                },
            )
        },
        old_params={
            "choices": Enum(
                "ActKind",
                {
                    "event": "event",
                    "retraction": "retraction",
                    "correction": "correction",
                    "publication": "publication",
                    "organisation": "organisation",
                    "periods": "periods",
                    "settlement": "settlement",
                    "closing": "closing",
                    "reopening": "reopening",
                },
            )
        },
        column_class=Varchar,
        old_column_class=Varchar,
        schema=None,
    )

    return manager
