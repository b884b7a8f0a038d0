#!/usr/bin/env bash
# RemoveImportsVisitor of libcst 1.9.0 (PyPI).
#
# Expected: an imported name on the left of += is used, as Python has to read it, and its import stays.
# What happens: it counts as assigned only. The import goes, and the module raises NameError, such as a
# settings module with INSTALLED_APPS += […] or a urls module with urlpatterns += […]. A name in
# __all__ is kept, but not where __all__ is the sum of two tuples.
#
# Output seen:
#   INSTALLED_APPS += ["shop"]: import removed; then NameError
#   INSTALLED_APPS = INSTALLED_APPS + ["shop"]: import kept
#   __all__ = ["INSTALLED_APPS"]: import kept
#   __all__ = ("INSTALLED_APPS",) + (): import removed
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
from libcst.codemod.visitors import RemoveImportsVisitor

IMPORT = "from base import INSTALLED_APPS\n"
with open("base.py", "w") as file:
    file.write("INSTALLED_APPS = []\n")

for line in (
    'INSTALLED_APPS += ["shop"]',
    'INSTALLED_APPS = INSTALLED_APPS + ["shop"]',
    '__all__ = ["INSTALLED_APPS"]',
    '__all__ = ("INSTALLED_APPS",) + ()',
):
    context = CodemodContext()
    RemoveImportsVisitor.remove_unused_import(context, "base", "INSTALLED_APPS")
    edited = RemoveImportsVisitor(context).transform_module(libcst.parse_module(f"{IMPORT}{line}\n"))
    result = "import kept" if IMPORT in edited.code else "import removed"
    try:
        exec(edited.code, {})
    except NameError:
        result += "; then NameError"
    print(f"{line}: {result}")
PY
venv/bin/python edit.py | tee seen

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
