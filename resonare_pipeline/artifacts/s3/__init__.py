"""Files in a bucket of S3-compatible storage. Imported only when a place is an `s3://` location."""
