# Completes slosonde's commands, options and files in bash:
#   source probe/cli/completion.bash        (or install it as /usr/share/bash-completion/completions/slosonde)
_slosonde() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} options
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "run validate once trigger status schema --help --version" -- "$word")
    return
  fi
  if [ "${COMP_WORDS[COMP_CWORD - 1]}" = --token-file ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
  fi
  case $command in
    run) options="--help" ;;
    validate) options="--json --help" ;;
    once) options="--transaction --json --help" ;;
    trigger) options="--probe --transaction --token-file --json --help" ;;
    status) options="--probe --json --help" ;;
    schema) options="--reference --help" ;;
    *) return ;;
  esac
  case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    *) case $command in
         run | validate | once) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
       esac ;;
  esac
}
complete -o filenames -F _slosonde slosonde
