#!/bin/sh
# Installs what this package needs beside Rust, where it is missing: etcd 3.4 for the tests, and the compiler and the
# common files of Protocol Buffers, with which etcd-client is built. Leaves no service of etcd running.
set -eu

if ! command -v etcd >/dev/null || ! command -v protoc >/dev/null || [ ! -d /usr/include/google/protobuf ]; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        etcd-server protobuf-compiler libprotobuf-dev
fi
# The package starts one where systemd runs. The tests start their own.
if command -v systemctl >/dev/null && systemctl is-active --quiet etcd 2>/dev/null; then
    systemctl disable --now etcd
fi
