#!/usr/bin/env bash
# AddImportsVisitor and RemoveImportsVisitor of libcst 1.9.0 (PyPI).
#
# Expected: they leave the comments and the layout of the other names of an import alone; keeping those
# is what libcst is for.
# What happens: an added name goes in front of the first one, onto its line, so that the comment of that
# name seems to be about the new one. And when the last name is removed, the comment of the name before it
# goes too, and so does the line break.
#
# Output seen:
#   from x import (
#       c, a,  # why a
#       b,  # why b
#   )
#   --
#   from x import (
#       a)
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
say() { echo "$*" | tee -a seen; }

python3 -m venv --without-pip venv
python3 -m pip --python venv/bin/python install -q --no-compile --disable-pip-version-check \
    libcst==1.9.0 2> pip.log

cat > edit.py << 'PY'
import libcst
from libcst.codemod import CodemodContext
from libcst.codemod.visitors import AddImportsVisitor, RemoveImportsVisitor

IMPORT = "from x import (\n    a,  # why a\n    b,  # why b\n)\n"

context = CodemodContext()
AddImportsVisitor.add_needed_import(context, "x", "c")
RemoveImportsVisitor.remove_unused_import(context, "x", "b")
added = AddImportsVisitor(context).transform_module(libcst.parse_module(IMPORT + "print(a, b)\n"))
removed = RemoveImportsVisitor(context).transform_module(libcst.parse_module(IMPORT + "print(a)\n"))
for module in (added, removed):
    print(module.code[: module.code.index("print")].rstrip())
    print("--")
PY
venv/bin/python edit.py | sed '$d' | tee seen

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
