"""S3 over files. Everything but where the bytes lie, and listing, is moto's."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from localcloud.core import Cloud
from localcloud.request import Request, Response


class S3Service:
    name = "s3"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.actions = {"ListObjectsV2": self.list_objects_v2}

    def list_objects_v2(self, request: Request) -> Response:
        """moto's listing, written out at once: its serialiser takes half a second for 1,000 keys.

        A request that moto would refuse (no such bucket), and options that nobody uses, are left
        to moto.
        """
        from moto.s3.models import s3_backends

        backend = s3_backends[self.cloud.account]["aws"]
        query, name = request.query, request.path.strip("/")
        token = query.get("continuation-token")
        if name not in backend.buckets or "fetch-owner" in query or token == "":
            return request.to_moto(request)
        prefix, limit = query.get("prefix", ""), int(query.get("max-keys", 1000))
        bucket = backend.buckets[name]
        with bucket.keys.lock:
            entries, truncated, following = backend.list_objects_v2(
                bucket, prefix, query.get("delimiter"), token, query.get("start-after"), limit
            )

        def text(value: str) -> str:
            return escape(quote(value) if query.get("encoding-type") == "url" else value)

        parts = [
            f"<CommonPrefixes><Prefix>{text(entry)}</Prefix></CommonPrefixes>"
            if isinstance(entry, str)
            else f"<Contents><Key>{text(entry.name)}</Key>"
            f"<LastModified>{entry.last_modified_ISO8601}</LastModified>"
            f"<ETag>{escape(entry.etag)}</ETag><Size>{entry.size}</Size>"
            f"<StorageClass>{entry.storage_class}</StorageClass></Contents>"
            for entry in entries
        ]
        head = {
            "Name": name, "Prefix": text(prefix), "MaxKeys": limit, "KeyCount": len(parts),
            "IsTruncated": str(bool(truncated)).lower(), "NextContinuationToken": following,
            "ContinuationToken": token, "EncodingType": query.get("encoding-type"),
            "Delimiter": escape(query.get("delimiter", "")) or None,
        }  # fmt: skip
        parts += [f"<{k}>{v}</{k}>" for k, v in head.items() if v is not None]
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        body = f'<ListBucketResult xmlns="{space}">{"".join(parts)}</ListBucketResult>'
        return Response(200, [("Content-Type", "application/xml")], body.encode())

    def status(self) -> dict[str, Any]:
        from moto.s3.models import s3_backends

        buckets = s3_backends[self.cloud.account]["aws"].buckets
        return {"buckets": {name: len(bucket.keys) for name, bucket in buckets.items()}}
