//! Tests for a host's own repository, and repositories that fail in known ways.
