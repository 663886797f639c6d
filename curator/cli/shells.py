"""The scripts of ``--install-completion`` for bash and zsh; Typer's own lose names with quotes and zsh's first Tab.

Both ask ``curator`` as fish does: it prints a proposal a line, as it is, with a tab before what it means. The shell
quotes what it inserts. See https://zsh.sourceforge.io/Doc/Release/Completion-Widgets.html and
https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion-Builtins.html.

>>> print(SCRIPTS["bash"] % {"complete_func": "_c", "prog_name": "curator", "autocomplete_var": "_CURATOR_COMPLETE"})
<BLANKLINE>
_c() {
...
complete -o default -F _c curator
<BLANKLINE>
"""

from __future__ import annotations

from typing import Any

_ASK = "_TYPER_COMPLETE_FISH_ACTION=get-args %(autocomplete_var)s=complete_fish"

_BASH = rf"""
%(complete_func)s() {{
    local line is_odd=
    COMPREPLY=()
    while IFS= read -r line; do
        line="${{line%%%%$'\t'*}}"
        [[ -z "$line" ]] || COMPREPLY+=("$line")
        [[ "$line" != *[!A-Za-z0-9_./,=-]* ]] || is_odd=1
    done < <(env _TYPER_COMPLETE_ARGS="${{COMP_LINE:0:COMP_POINT}}" {_ASK} "$1" 2>/dev/null)
    if [[ -n "$is_odd" ]] && ! compopt -o filenames 2>/dev/null; then
        for line in "${{!COMPREPLY[@]}}"; do
            printf -v "COMPREPLY[line]" %%q "${{COMPREPLY[line]}}"
        done
    fi
}}

complete -o default -F %(complete_func)s %(prog_name)s
"""

_ZSH = rf"""
#compdef %(prog_name)s

%(complete_func)s() {{
  local -a lines names shown
  lines=("${{(@f)$(env _TYPER_COMPLETE_ARGS="${{words[1,$CURRENT]}}" {_ASK} %(prog_name)s 2>/dev/null)}}")
  lines=("${{(@)lines:#}}")
  if (( ! $#lines )); then
    _files
    return
  fi
  names=("${{(@)lines%%%%$'\t'*}}")
  shown=("${{(@)lines/$'\t'/  -- }}")
  compadd -l -d shown -a names
}}

if [[ "$funcstack[1]" == _%(prog_name)s ]]; then
  %(complete_func)s "$@"
else
  compdef %(complete_func)s %(prog_name)s
fi
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH}


def use_own_scripts() -> None:
    """Let Typer install these in place of its own, if it keeps them where this version does."""
    try:
        from typer import _completion_shared
    except ImportError:
        return
    scripts: dict[str, Any] = getattr(_completion_shared, "_completion_scripts", {})
    scripts.update(SCRIPTS)
