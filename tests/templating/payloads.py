"""What a hostile host may send: 200 texts that would do harm if anything evaluated them."""

from __future__ import annotations

_CALLS = (
    "lookup('pipe', 'touch {canary}')",
    "query('pipe', 'touch {canary}')",
    "q('lines', 'touch {canary}')",
    "lookup('ansible.builtin.pipe', 'touch {canary}')",
    "cycler.__init__.__globals__.os.system('touch {canary}')",
    "joiner.__init__.__globals__['os'].popen('touch {canary}').read()",
    "''.__class__.__mro__[1].__subclasses__()",
    "namespace.__init__.__globals__.__builtins__.open('{canary}', 'w')",
    "self.__init__.__globals__.__builtins__.__import__('os').system('touch {canary}')",
    "lipsum.__globals__['os'].system('touch {canary}')",
    "''|attr('__class__')|attr('__base__')",
    "dict.__base__.__subclasses__()",
    "undef.__globals__",
    "lookup('template', '{canary}')",
    "lookup('password', '{canary}')",
    "lookup('url', 'file://{canary}')",
    "vars",
    "hostvars",
    "secret",
    "1 / 0",
)
_FORMS = (
    "{{{{ {call} }}}}",
    "{{{{- {call} -}}}}",
    "{{% set x = {call} %}}",
    "{{% if {call} %}}y{{% endif %}}",
    "{{% for i in [{call}] %}}{{{{ i }}}}{{% endfor %}}",
    "text {{{{ {call} }}}} text",
    "{{# c #}}{{{{ {call} }}}}",
    "#jinja2:variable_start_string:'[['\n[[ {call} ]]",
    "{call}",
    "!unsafe {{{{ {call} }}}}",
)


def payloads(canary: str) -> list[str]:
    return [form.format(call=call.replace("{canary}", canary)) for call in _CALLS for form in _FORMS]
