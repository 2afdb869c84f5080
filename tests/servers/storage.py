"""Azurite's own account: blobs in one container and entities in one table, made anew for each call, and the SDKs' clients."""

import contextlib

import requests
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

ACCOUNT = "devstoreaccount1"
# Azurite's documented key, the same everywhere.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2025-11-05"  # the latest that this Azurite speaks


class Storage:
    def __init__(self, blob, table):
        self.server = {"blob": blob, "table": table}

    def container(self, address=None, name="box", key=KEY, **options):
        url = f"http://{address or self.server['blob']}/{ACCOUNT}"
        return BlobServiceClient(url, credential=key, api_version=VERSION, retry_total=0, **options).get_container_client(name)

    def table(self, address=None, name="things", key=KEY, **options):
        url = f"http://{address or self.server['table']}/{ACCOUNT}"
        return TableServiceClient(url, credential=AzureNamedKeyCredential(ACCOUNT, key), retry_total=0, **options).get_table_client(name)

    def has_blobs(self, *names, leased=()):
        container = self.container()
        with contextlib.suppress(ResourceNotFoundError):
            container.delete_container()
        container.create_container()
        for name in names:
            container.upload_blob(name, b"x")
        for name in leased:
            container.get_blob_client(name).acquire_lease()

    def has_entities(self, *keys):
        table = self.table()
        table.delete_table()  # content with a table that is not there
        table.create_table()
        for key in keys:
            table.create_entity(entity(key))


def entity(key, **properties):
    return {"PartitionKey": "p", "RowKey": key} | properties


class Taken(Exception):
    """Carries a request that was signed and not sent."""


class Taker(requests.Session):
    def request(self, method, url, headers=None, data=None, **_):
        raise Taken(method, url, dict(headers), data)


def signed(call, address):
    """The request that the SDK would send, with its signature: (method, url, headers, body)."""
    try:
        call(address, transport=RequestsTransport(session=Taker(), session_owner=False))
    except Taken as taken:
        return taken.args
    raise AssertionError("the SDK sent nothing")
