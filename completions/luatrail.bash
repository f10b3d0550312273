# shellcheck shell=bash
# bash completion of luatrail; installed as /usr/share/bash-completion/completions/luatrail

_luatrail() {
  local words current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word command=
  local reading='--output --since --until --node --node-from --parser --bad-lines --stats --quiet'
  local always='--help --version'
  COMPREPLY=()
  # "--config=FILE" comes as three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      replay | events | plugin | rules | doctor | status) command=$word; break ;;
      config | inventory | baseline) command=$word ;;
      check | build | show | owner | learn | explain) [[ ' config inventory baseline ' != *" $command "* ]] || command="$command $word" ;;
    esac
  done
  case $previous in
    --format)
      local formats='text json'
      [[ $command != status ]] || formats='text json prometheus'
      mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$current")
      return
      ;;
    --node-from) mapfile -t COMPREPLY < <(compgen -W 'auto prefix path none' -- "$current"); return ;;
    --profile) mapfile -t COMPREPLY < <(compgen -W 'full lean' -- "$current"); return ;;
    --parser) mapfile -t COMPREPLY < <(compgen -W 'native auparse' -- "$current"); return ;;
    --min-severity) mapfile -t COMPREPLY < <(compgen -W 'info low medium high critical' -- "$current"); return ;;
    --since | --until | --node | --window | --package) return ;;
    -c | --config | -o | --output | --baseline | --bad-lines | --rules | --auditd | --file | --root | --inventory | --rpm-helper | --log)
      compopt -o default 2>/dev/null
      return
      ;;
  esac
  case $command in
    replay) words="$reading --config --baseline --inventory --root --format --window --min-severity $always" ;;
    events) words="$reading --exec $always" ;;
    plugin) words="--config $always" ;;
    rules) words="--profile $always" ;;
    doctor) words="--rules --profile --config --auditd --format --try --log --seconds $always" ;;
    status) words="--config --file --format $always" ;;
    config) words="check $always" ;;
    'config check') words=$always ;;
    inventory) words="build show owner $always" ;;
    'inventory build') words="--root --output --rpm-helper --package $always" ;;
    'inventory show') words="--inventory --format $always" ;;
    baseline) words="build learn check explain $always" ;;
    'baseline build') words="--inventory --root --output $always" ;;
    'baseline learn') words="$reading --inventory --root $always" ;;
    'baseline check') words="--log --inventory --root $always" ;;
    'baseline explain') words="--baseline --inventory --root $always" ;;
    'inventory owner') words="--inventory $always" ;;
    *) words="replay plugin events rules doctor status inventory baseline config $always" ;;
  esac
  if [[ $current == -* || $command == config || $command == inventory || $command == baseline || -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  elif [[ $command != plugin && $command != rules && $command != doctor && $command != status ]]; then
    compopt -o default 2>/dev/null # paths
  fi
}
complete -F _luatrail luatrail
