"""causeway.1: what the program says of its verbs, and what no --help says (files, exit codes)."""

FILES = [
    ("/etc/causeway/causeway.yaml", "the configuration of the service"),
    ("/etc/causeway/environment", "variables of the service, for keys of providers; root only"),
    ("/var/lib/causeway", "what the service keeps: keys, usage, logs of the engine"),
    ("/var/cache/causeway", "models that the service fetched"),
    ("/usr/lib/causeway", "the engine (llama-server)"),
    ("/usr/share/causeway", "the catalogue of models, and what fetches them"),
]
EXIT_CODES = [("0", "done"), ("1", "refused or failed; the reason is on standard error"),
              ("2", "wrong use: unknown verb, option or argument")]
ENVIRONMENT = [
    ("CAUSEWAY_DATA", "the data folder that a verb works on"),
    ("CAUSEWAY_CACHE", "where models lie; else XDG_CACHE_HOME/causeway, else ~/.cache/causeway"),
    ("NOTIFY_SOCKET", "set by systemd, which is told there when the gateway is ready"),
]


def quoted(text):
    """As troff reads it: plain."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\\&" + text if text.startswith((".", "'")) else text


def bold(text):
    return f"\\fB{quoted(text)}\\fR"


def entry(left, about):
    return [".TP", left, quoted(about) or "\\&"]


def options(command):
    lines = []
    for option in command.arguments + command.options:
        names = ", ".join(bold(name) for name in option.names)
        value = "|".join(option.choices) if option.choices else "VALUE"
        shown = f"{names} \\fI{quoted(value)}\\fR" if option.value and option.names[0][0] == "-" \
            else names
        lines += entry(shown, option.about + (" (required)" if option.required else ""))
    return lines


def section_of(command):
    lines = [f".SS {bold(' '.join(command.words))}", quoted(command.about), ".PP",
             quoted(command.usage)]
    lines += options(command)
    for part in command.parts:
        lines += section_of(part)
    return lines


def man_page(what):
    lines = [f'.TH CAUSEWAY 1 "" "Causeway {what.version}" "User Commands"', ".SH NAME",
             f"causeway \\- {quoted(what.about)}", ".SH SYNOPSIS",
             f"{bold('causeway')} \\fIverb\\fR [\\fIoptions\\fR]", ".SH DESCRIPTION",
             "An application points its ordinary OpenAI client at Causeway and changes nothing else;",
             "behind it stand cloud APIs, self\\-hosted servers and models that Causeway runs itself.",
             ".PP", "Where the package runs it as a service, the verbs mean that service, unless the",
             "working folder, CAUSEWAY_DATA or an option says otherwise. Its data belong to the user",
             f"causeway: {bold('sudo causeway keys create --name NAME')} makes a key.", ".SH VERBS"]
    for verb in what.verbs:
        lines += entry(bold(verb.name), verb.summary)
    lines.append(".SH OPTIONS")
    for verb in what.verbs:
        lines += section_of(verb)
    for title, entries in (("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", ENVIRONMENT),
                           ("FILES", FILES)):
        lines.append(f".SH {title}")
        for left, about in entries:
            lines += entry(bold(left), about)
    lines += [".SH SEE ALSO", "/usr/share/doc/causeway/ has the configuration's reference, and how to",
              "operate the gateway."]
    return "\n".join(lines) + "\n"
