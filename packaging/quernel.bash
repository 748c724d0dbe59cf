# SPDX-License-Identifier: Apache-2.0
# Completion for bash: commands and options are read from the program's own help.
_quernel() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(quernel --help | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(quernel "$command" --help | grep -oE -- '--[a-z0-9-]+' | sort -u)" -- "$word")
    fi
}
complete -o default -F _quernel quernel
