#!/bin/bash
# What holds for every commit, beside the tests. Usage: tools/check.sh [--list] [NAME|fast|all]...
#
# Each check prints what it found and the script ends with the names of those that failed. Without
# a name: all, in the order of what fails fastest. --list only prints the names.
set -u
cd "$(dirname "$0")/.." || exit 1

fast_checks=(format syscalls includes standalone shellcheck conformance commits layers suites binary)
all_checks=("${fast_checks[@]}" install deb tidy)

# Files of the tree, committed or not, that match the patterns.
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

# Prints what is on stdin and fails when there is any.
none() { ! grep .; }

check_format() {
    local file
    for file in $(files '*.cc' '*.h'); do
        clang-format-19 --dry-run -Werror "$file" 2>/dev/null || echo "$file: tools/format would change it"
    done | none
}

# The only place that calls the kernel is runtime/sys. What is passed over belongs to the C library.
check_syscalls() {
    files 'runtime/*.cc' 'runtime/*.h' | grep -v -e '^runtime/sys/' -e '^runtime/base/unique_fd.h$' |
        xargs -r grep -nE '(^|[^:A-Za-z0-9_>])::[a-z_0-9]+\(' | grep -vE '::(getopt_long_only|sigabbrev_np|str[a-z_]+)\(' | none
}

# Which folders the files of a folder may include. Arrows point from doing to deciding to saying.
may_include() {
    case $1 in
    runtime/base) echo 'runtime/base' ;;
    runtime/sys) echo 'runtime/(sys|base)' ;;
    spec) echo 'spec|runtime/base' ;;
    runtime/plan) echo 'runtime/plan|spec|runtime/base' ;;
    runtime/kernel) echo 'runtime/(kernel|plan|sys|base)' ;;
    runtime/cgroup) echo 'runtime/(cgroup|plan|sys|base)' ;;
    runtime/systemd) echo 'runtime/(systemd|sys|base)' ;;
    runtime/criu) echo 'runtime/(criu|sys|base)' ;;
    runtime/stage) echo 'runtime/(stage|kernel|cgroup|plan|sys|base)|spec' ;;
    runtime/container) echo 'runtime/(container|stage|kernel|cgroup|plan|sys|base)|spec' ;;
    runtime/cli) echo 'runtime/(cli|container|plan|base)|spec' ;;
    runtime) echo 'runtime/(cli|kernel|base)' ;;
    *) echo "unknown folder $1" ;;
    esac
}

# The names that headers of one concept have: those of seccomp_cache.cc are seccomp_cache and seccomp.
concept_of() {
    local name
    name=$(basename "${1%.*}")
    echo "$name|${name%%_*}"
}

check_includes() {
    local file folder
    for file in $(files 'runtime/*.cc' 'runtime/*.h' 'spec/*.cc' 'spec/*.h'); do
        folder=$(dirname "$file")
        grep -HnE '^#include "' "$file" | grep -vE "#include \"($(may_include "$folder"))/[a-z_0-9]+(\.pb)?\.h\""
        # A concept of the kernel does not know another; what they share is how to look below a root.
        [[ $folder != runtime/kernel ]] || grep -HnE '^#include "runtime/kernel/' "$file" |
            grep -vE "/kernel/($(concept_of "$file")|in_root|mountinfo)\.h\"" |
            # The two parts of mounts, and what id mappings and namespaces have in common.
            grep -vE '^runtime/kernel/(mounts\.cc:.*/(idmap|copy_up)|idmap\.cc:.*/namespaces)\.h"' 
    done | none
}

# Nothing refers to what only the authors' machine has.
check_standalone() {
    files ':!tests/data' ':!tests/golden' ':!tools/check.sh' |
        xargs -r grep -nIE '\.\./shared|/work/(shared|main)' | cut -c -200 | none
}

check_shellcheck() {
    local file scripts=()
    while read -r file; do
        if head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*\b(ba)?sh\b'; then scripts+=("$file"); fi
    done < <(files)
    shellcheck "${scripts[@]}"
}

# Whether `place`, "FILE:SUITE.NAME" or "FILE:SUITE.NAME/CASE", is a test that exists.
test_exists() {
    local place=$1 file suite name one=''
    file=${place%%:*} name=${place#*:}
    [[ $name != */* ]] || one=${name#*/} name=${name%%/*}
    suite=${name%%.*} name=${name#*.}
    [[ -n $name && -f $file ]] &&
        tr '\n' ' ' <"$file" | grep -qE "TEST(_F|_P)?\( *$suite, *$name *\)" &&
        { [[ -z $one ]] || grep -q "\"$one\"" "$file" "${file%/*}"/*.h; }
}

# Rows of docs/conformance.md: | section | requirement | `file` | `test` |
check_conformance() {
    local section file test
    while IFS='|' read -r _ section _ file test _; do
        file=$(tr -d '` ' <<<"$file") test=$(tr -d '` ' <<<"$test")
        [[ -f $file ]] || echo "docs/conformance.md:$section: no such file: \"$file\""
        test_exists "$test" || echo "docs/conformance.md:$section: no such test: \"$test\""
    done < <(sed '/^## Not followed/,$d' docs/conformance.md |
        grep '^|' | grep -vE '^\|( section |---)') | none
}

# "area: Imperative subject", 72 columns, no full stop.
check_commits() {
    git rev-parse -q --verify HEAD >/dev/null || return 0
    git log --no-merges --format='%h %s' | awk '
        { subject = substr($0, length($1) + 2) }
        subject !~ /^[a-z][a-z0-9_.\/-]*(, [a-z][a-z0-9_.\/-]*)*: [A-Z].*[^.]$/ { print; next }
        length(subject) > 72 { print $0 ": longer than 72 columns" }' | none
}

# Paths between packages that must not exist, through however many others.
check_layers() {
    local edge found failed=0
    for edge in \
        'somepath(//runtime/plan, //runtime/sys)' \
        'somepath(//spec, //runtime/... except //runtime/base)' \
        'somepath(//runtime/kernel, //runtime/stage)' \
        'somepath(//runtime/kernel, //runtime/cgroup)' \
        'somepath(//runtime/cgroup, //runtime/kernel)'; do
        found=$(bazel query --noshow_progress --ui_event_filters=-info "$edge") || failed=1
        if [[ -n $found ]]; then
            printf 'forbidden: %s\n%s\n' "$edge" "$found"
            failed=1
        fi
    done
    return "$failed"
}

# Each test is in one of the suites of the top BUILD file.
check_suites() {
    local missing
    missing=$(bazel query --noshow_progress --ui_event_filters=-info \
        'tests(//tests/...) except tests(set(//:unit //:kernel //:e2e //:conformance //:engines))') || return 1
    [[ -z $missing ]] || printf 'in no suite of BUILD.bazel:\n%s\n' "$missing"
    [[ -z $missing ]]
}

# Says what is wrong when the command finds the pattern, or when it does not: expect [!] PATTERN CALL...
expect() {
    local wanted=0 pattern
    if [[ $1 == '!' ]]; then
        wanted=1
        shift
    fi
    pattern=$1
    shift
    "$@" 2>&1 | grep -qE "$pattern"
    if (($? != wanted)); then
        printf '%s: "%s" %s\n' "$*" "$pattern" "$( ((wanted)) && echo 'must not be there' || echo 'is missing')"
        return 1
    fi
}

# Static, position independent, nothing writable and executable, all bound at the start.
check_binary() {
    local failed=0 binary=bazel-bin/runtime/runtime
    bazel build --noshow_progress --ui_event_filters=-info //:runtime || return 1
    expect 'Type: +DYN' readelf -hW "$binary" || failed=1
    expect ! 'INTERP' readelf -lW "$binary" || failed=1
    expect 'GNU_STACK.* RW  ' readelf -lW "$binary" || failed=1
    expect 'GNU_RELRO' readelf -lW "$binary" || failed=1
    expect ! ' RWE ' readelf -lW "$binary" || failed=1
    expect 'BIND_NOW' readelf -dW "$binary" || failed=1
    expect 'Flags: NOW PIE' readelf -dW "$binary" || failed=1
    expect ! 'NEEDED|RPATH|RUNPATH|TEXTREL' readelf -dW "$binary" || failed=1
    expect ! 'dlopen|dlsym' readelf -sW "$binary" || failed=1
    expect ! 'libnss_|nsswitch' strings -a "$binary" || failed=1
    return "$failed"
}

# What tools/install puts into place is there, and works from there.
check_install() {
    local root failed=0
    root=$(mktemp -d) || return 1
    {
        tools/install --destdir "$root" &&
            "$root/usr/local/bin/runtime" --version | grep -q '^runtime version' &&
            [[ -x $root/usr/local/libexec/runtime/runtime-systemd ]] &&
            [[ -x $root/usr/local/libexec/runtime/runtime-criu ]] &&
            [[ -s $root/usr/local/share/man/man8/runtime-create.8.gz ]] &&
            [[ -s $root/usr/local/share/zsh/site-functions/_runtime ]] &&
            bash -n "$root/usr/local/share/bash-completion/completions/runtime"
    } || failed=1
    rm -rf "$root"
    return "$failed"
}

# The package: made twice it is the same file, lintian has nothing to say, nothing in it tells where
# it was built, and the lines of docs/orchestrators.md work where it was installed.
check_deb() {
    local directory package failed=0
    directory=$(mktemp -d) || return 1
    {
        package=$(tools/mkdeb --output "$directory") &&
            tools/mkdeb --output "$directory/again" >/dev/null &&
            cmp "$package" "$directory/again/${package##*/}" &&
            lintian --allow-root --fail-on error,warning "$package" &&
            dpkg-deb --fsys-tarfile "$package" | grep -aoE "execroot/[a-z/_]+|$PWD/[a-z/_]+" | none &&
            bazel build --noshow_progress --ui_event_filters=-info //tests/engines:documents_test &&
            PACKAGE=$package bazel-bin/tests/engines/documents_test --gtest_brief=1
    } || failed=1
    rm -rf "$directory"
    return "$failed"
}

# clang-tidy of one file, passed over when neither it nor what it includes has changed since it was
# last clean.
tidy_one() {
    local file=$1 key flags=(-std=c++20 -D_GNU_SOURCE -I.)
    # clang 19 refuses an assignment in a template of RapidJSON's that nobody uses.
    if grep -q '#include <rapidjson/' "$file"; then flags+=(-fdelayed-template-parsing); fi
    # What a .proto file becomes; bazel-bin is where check_tidy has had it made.
    if grep -q '#include ".*\.pb\.h"' "$file"; then flags+=(-isystem bazel-bin); fi
    key=$({
        clang-tidy-19 --version
        clang-tidy-19 --dump-config "$file" -- "${flags[@]}"
        g++ -std=c++23 -D_GNU_SOURCE -I. -Ibazel-bin -MM "$file" | tr ' ' '\n' | grep / | LC_ALL=C sort -u |
            xargs cat
    } | sha256sum | cut -d ' ' -f 1)
    [[ ! -e $tidy_cache/$key ]] || return 0
    if clang-tidy-19 --quiet "$file" -- "${flags[@]}" 2>/dev/null; then
        touch "$tidy_cache/$key"
    else
        printf 'clang-tidy: %s\n' "$file"
        return 1
    fi
}

check_tidy() {
    tidy_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/runtime-tidy
    mkdir -p "$tidy_cache"
    bazel build --noshow_progress --ui_event_filters=-info //runtime/criu:rpc || return 1
    export tidy_cache
    export -f tidy_one
    # shellcheck disable=SC2016  # the shell that xargs starts expands it
    files '*.cc' | xargs -r -n 1 -P "$(nproc)" bash -c 'tidy_one "$0"'
}

list=0 names=()
for argument in "${@:-all}"; do
    case $argument in
    --list) list=1 ;;
    fast) names+=("${fast_checks[@]}") ;;
    all) names+=("${all_checks[@]}") ;;
    *)
        if ! declare -F "check_$argument" >/dev/null; then
            printf 'tools/check.sh: no check named "%s"; there are: %s\n' "$argument" "${all_checks[*]}" >&2
            exit 2
        fi
        names+=("$argument")
        ;;
    esac
done
if ((list)); then
    printf '%s\n' "${names[@]}"
    exit
fi

failed=()
for name in "${names[@]}"; do
    printf '== %s\n' "$name"
    "check_$name" || failed+=("$name")
done
if ((${#failed[@]})); then
    printf 'failed checks: %s\n' "${failed[*]}"
    exit 1
fi
