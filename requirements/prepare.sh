# Makes the virtual environment that ./run and ./test use, when it is missing or out of date. Sourced by them:
# `project` is set to the project's folder; prepare run|test sets `venv`.

prepare() {
    kind=$1
    python=$(find_python) || exit 1
    venv=$(choose_venv)
    stamp="$venv/.installed-$kind"
    wanted=$("$python" -c 'import hashlib, os, shutil, sys, sysconfig
headers = os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
digest = hashlib.sha256(repr((sys.version, sys.executable, sys.argv[1], shutil.which("cc"), headers)).encode())
for name in sys.argv[2:]:
    digest.update(open(name, "rb").read())
print(digest.hexdigest())' "$project" "$project/requirements/$kind.txt" "$project/requirements/uv.txt" \
        "$project/requirements/build.txt" "$project/requirements/install.py" "$project/setup.py" \
        "$project/resolver/fast_path/compiled.pyx")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    echo "installing into $venv ..." >&2
    rm -f "$stamp"
    make_venv
    "$venv/bin/python" "$project/requirements/install.py" "$kind" || exit 1
    printf '%s\n' "$wanted" >"$stamp"
}

# Python 3.11 or newer: $PYTHON, or the first that is found.
find_python() {
    for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "Python 3.11 or newer is needed" "apt install python3 python3-venv, or set PYTHON=/path/to/python3.11"
}

# Beside the code, or in the user's cache where the code is read-only.
choose_venv() {
    if [ -w "$project" ]; then
        printf '%s\n' "$project/.venv"
    else
        name=$(printf '%s' "$project" | cksum | cut -d ' ' -f 1)
        printf '%s\n' "${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/idnode/venv-$name"
    fi
}

# Debian splits off python3-venv; without it a pip or uv that is there already helps out.
make_venv() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1 && [ "$(home_of_venv)" = "$python" ]; then
        return
    fi
    mkdir -p "$(dirname "$venv")"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv --clear "$venv" || exit 1
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip "$venv" &&
            "$python" -m pip --quiet --python "$venv/bin/python" install pip || exit 1
    elif command -v uv >/dev/null; then
        uv venv --quiet --clear --seed --python "$python" "$venv" || exit 1
    else
        fail "this Python cannot make virtual environments" "apt install python3-venv"
    fi
}

home_of_venv() {
    "$venv/bin/python" -c 'import sys; print(sys._base_executable)' 2>/dev/null
}

fail() {
    echo "error: $1" >&2
    echo "hint: $2" >&2
    exit 1
}
