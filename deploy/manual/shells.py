"""Completions for bash, zsh and fish of what make_manual.py read."""

HEAD = "# Written by deploy/manual/make_manual.py from `causeway --help`.\n"


def commands(what):
    """Every verb and every part of one, outermost first."""
    for verb in what.verbs:
        yield verb
        yield from verb.parts


def names_of(command):
    return [name for option in command.options for name in option.names]


def words_after(command):
    """What may follow besides options: parts, or the values of an argument."""
    words = [part.name for part in command.parts]
    for argument in command.arguments:
        words += argument.choices
    return words


def bash(what):
    cases, values = [], set()
    for command in commands(what):
        words = " ".join(words_after(command) + names_of(command))
        cases.append(f'    "{" ".join(command.words)}") words="{words}" ;;')
        for option in command.options:
            if option.value:
                values.add((option.names[-1], "-d" if option.folder else
                            f'-W "{" ".join(option.choices)}"' if option.choices else "-f"
                            if option.file else ""))
    typed = [f'    {name}) mapfile -t COMPREPLY < <(compgen {how} -- "$current"); return ;;'
             for name, how in sorted(values) if how]
    free = " | ".join(name for name, how in sorted(values) if not how)
    typed.append(f"    {free}) COMPREPLY=(); return ;;")
    parts = " | ".join(f'"{verb.name} {part.name}"' for verb in what.verbs for part in verb.parts)
    return f"""{HEAD}# shellcheck shell=bash
_causeway() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} words=''
  local verb=${{COMP_WORDS[1]:-}}
  compopt -o filenames 2>/dev/null
  if ((COMP_CWORD == 1)); then
    words="{" ".join(v.name for v in what.verbs)} --help --version"
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    return
  fi
  case $previous in
{chr(10).join(typed)}
  esac
  case "$verb ${{COMP_WORDS[2]:-}}" in
    {parts}) ((COMP_CWORD > 2)) && verb+=" ${{COMP_WORDS[2]}}" ;;
  esac
  case $verb in
{chr(10).join(cases)}
  esac
  if [[ $verb == check && $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}}
complete -F _causeway causeway
"""


def zsh_quoted(text):
    return text.replace("'", "'\\''").replace("[", "(").replace("]", ")").replace(":", "\\:")


def zsh_option(option):
    kind = "_files -/" if option.folder else "_files" if option.file else \
        f"({' '.join(option.choices)})" if option.choices else " "
    value = f":value:{kind}" if option.value else ""
    many = "*" if option.many else ""
    return [f"'{many}{name}[{zsh_quoted(option.about)}]{value}'" for name in option.names]


def zsh_arguments(command):
    lines = [line for option in command.options for line in zsh_option(option)]
    for number, argument in enumerate(command.arguments, 1):
        kind = f"({' '.join(argument.choices)})" if argument.choices else \
            "_files" if argument.names[0] == "file" else " "
        lines.append(f"'{number}:{zsh_quoted(argument.names[0])}:{kind}'")
    return "_arguments " + " ".join(lines)


def zsh_described(entries):
    return " ".join(f"'{zsh_quoted(name)}:{zsh_quoted(about)}'" for name, about in entries)


def zsh(what):
    cases = []
    for verb in what.verbs:
        if not verb.parts:
            cases.append(f"    {verb.name}) {zsh_arguments(verb)} ;;")
            continue
        inner = "\n".join(f"        {part.name}) {zsh_arguments(part)} ;;" for part in [verb, *verb.parts])
        parts = zsh_described((part.name, part.about) for part in verb.parts)
        cases.append(f"""    {verb.name})
      if [[ $words[2] != -* ]]; then
        if ((CURRENT == 2)); then
          entries=({parts})
          _describe part entries
          return
        fi
        shift words
        ((CURRENT--))
      fi
      case $words[1] in
{inner}
      esac ;;""")
    verbs = zsh_described((verb.name, verb.summary) for verb in what.verbs)
    return f"""#compdef causeway
{HEAD}_causeway() {{
  local -a entries
  if ((CURRENT == 2)); then
    entries=({verbs})
    _describe verb entries
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
{chr(10).join(cases)}
  esac
}}
_causeway "$@"
"""


def fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_options(command, condition):
    lines = []
    for option in command.options:
        names = " ".join(("-l " + name[2:]) if name.startswith("--") else ("-s " + name[1:])
                         for name in option.names)
        value = f" -x -a {fish_quoted(' '.join(option.choices))}" if option.choices else \
            " -x -a '(__fish_complete_directories)'" if option.folder else \
            " -r -F" if option.file else " -x" if option.value else ""
        lines.append(f"complete -c causeway -n {fish_quoted(condition)} {names}{value} "
                     f"-d {fish_quoted(option.about)}")
    for argument in command.arguments:
        if argument.choices:
            lines.append(f"complete -c causeway -n {fish_quoted(condition)} "
                         f"-a {fish_quoted(' '.join(argument.choices))}")
        elif argument.names[0] == "file":
            lines.append(f"complete -c causeway -n {fish_quoted(condition)} -F")
    return lines


def fish(what):
    lines = [HEAD + "complete -c causeway -f"]
    for verb in what.verbs:
        lines.append(f"complete -c causeway -n __fish_use_subcommand -a {verb.name} "
                     f"-d {fish_quoted(verb.summary)}")
    for verb in what.verbs:
        seen = f"__fish_seen_subcommand_from {verb.name}"
        parts = " ".join(part.name for part in verb.parts)
        alone = f"{seen}; and not __fish_seen_subcommand_from {parts}" if parts else seen
        lines += fish_options(verb, alone)
        for part in verb.parts:
            lines.append(f"complete -c causeway -n {fish_quoted(alone)} -a {part.name} "
                         f"-d {fish_quoted(part.about)}")
            lines += fish_options(part, f"{seen}; and __fish_seen_subcommand_from {part.name}")
    return "\n".join(lines) + "\n"
