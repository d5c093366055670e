# Which tools the scripts need beside the Rust toolchain, how to see that they are there, and what several scripts do. They
# source it; it installs nothing, which only `scripts/setup` does.
axe_core=axe-playwright-python==0.1.8 # the Python package that holds axe-core 4.12.1
axe_core_sha256=84494fec757e4710dc751c8d7a636e457f4532f08f85c86dc9070133fbff53bc
cargo_fuzz=0.13.2 cargo_llvm_cov=0.9.1 cargo_mutants=27.1.0 cargo_nextest=0.9.143
cargo_deny=0.20.2 cargo_public_api=0.52.0 cargo_semver_checks=0.51.0

check_tools=(postgres etcd protoc protobuf-includes valgrind chromium chromedriver axe-core)
coverage_tools=(llvm-19 cargo-llvm-cov)
fuzz_tools=(nightly-rust g++ cargo-fuzz)
mutants_tools=(cargo-mutants cargo-nextest)
release_tools=(nightly-rust cargo-deny cargo-public-api cargo-semver-checks)
long_tools=("${coverage_tools[@]}" "${fuzz_tools[@]}" "${mutants_tools[@]}")

# Debian keeps PostgreSQL's programs in a directory of their version.
for directory in /usr/lib/postgresql/*/bin; do PATH=$PATH:$directory; done

# Tools of an LLVM that can read the compiler's profiles. Where these are not set, cargo-llvm-cov downloads its own.
export LLVM_COV=/usr/bin/llvm-cov-19 LLVM_PROFDATA=/usr/bin/llvm-profdata-19

# The oldest Rust that Cargo.toml promises: Debian's packages of it, unpacked here and not installed.
oldest_rust=$PWD/target/oldest-rust
oldest_libraries=$oldest_rust/usr/lib/x86_64-linux-gnu
has_oldest_rust() { LD_LIBRARY_PATH=$oldest_libraries "$oldest_rust/usr/bin/rustc" --version >/dev/null 2>&1; }

# has_cargo_tool NAME VERSION: is it there, in this version or with another last number?
has_cargo_tool() { [[ "$(cargo "$1" --version 2>/dev/null || true)" == *" ${2%.*}."* ]]; }

has() {
    case $1 in
        axe-core) sha256sum --check --status <<<"$axe_core_sha256 target/tools/axe.min.js" 2>/dev/null ;;
        protobuf-includes) [ -d /usr/include/google/protobuf ] ;;
        llvm-19) [ -x "$LLVM_COV" ] && [ -x "$LLVM_PROFDATA" ] ;;
        nightly-rust) cargo +nightly --version >/dev/null 2>&1 ;;
        cargo-deny) has_cargo_tool deny "$cargo_deny" ;;
        cargo-fuzz) has_cargo_tool fuzz "$cargo_fuzz" ;;
        cargo-llvm-cov) has_cargo_tool llvm-cov "$cargo_llvm_cov" ;;
        cargo-mutants) has_cargo_tool mutants "$cargo_mutants" ;;
        cargo-nextest) has_cargo_tool nextest "$cargo_nextest" ;;
        cargo-public-api) has_cargo_tool public-api "$cargo_public_api" ;;
        cargo-semver-checks) has_cargo_tool semver-checks "$cargo_semver_checks" ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# require SETUP TOOL...: names every tool that is missing and the command that installs it, and ends the script.
require() {
    local setup=$1 tool missing=()
    shift
    for tool; do has "$tool" || missing+=("$tool"); done
    [ ${#missing[@]} -eq 0 ] || {
        printf '%s: FAILED: missing: %s; `%s` installs what is missing\n' "$0" "${missing[*]}" "$setup" >&2
        exit 2
    }
}

# Goes into the package as it would be published, unpacked where it belongs to no workspace.
cd_into_packaged() {
    local id name
    id=$(cargo pkgid --locked) && name=grantbook-${id##*[#@]} && cd "$CARGO_TARGET_DIR/package" &&
        rm -rf "$name" && tar -xzf "$name.crate" && cd "$name"
}
