"""Facts that the host's owner wrote: *.fact files, JSON, INI or programs that print either."""

import json
import os

from opsplay.remote.facts import sources


def collect(system, folder, seconds):
    facts = {}
    for name in sources.entries(system, folder) if folder else ():
        if name.endswith(".fact"):
            facts[name[:-len(".fact")]] = _one(system, os.path.join(folder, name), seconds)
    return {"local": facts}


def _one(system, path, seconds):
    found = system.stat(path)
    if found is None:
        return _problem(system, "Could not stat fact (%s): it leads to nothing" % path)
    if found.st_mode & 0o111:
        return _from_program(system, path, seconds)
    content = sources.text(system, path)
    if content is None:
        return _problem(system, "Could not read fact %s" % path)
    return _parse(system, path, content)


def _from_program(system, path, seconds):
    try:
        run = system.run([path], timeout=seconds)
    except OSError as error:
        return _problem(system, "Could not execute fact script (%s): %s" % (path, error))
    if getattr(run, "timed_out", False):
        return _problem(system, "fact script (%s) did not end within %g s" % (path, seconds))
    if run.rc != 0:
        return _problem(system, "Failure executing fact script (%s), rc: %s, err: %s" % (path, run.rc, run.stderr))
    return _parse(system, path, run.stdout)


def _parse(system, path, content):
    try:
        return json.loads(content)
    except ValueError:
        return _parse_ini(system, path, content)


def _parse_ini(system, path, content):
    import configparser  # rarely needed
    parser = configparser.ConfigParser()
    try:
        parser.read_string(content)
        return {section: dict(parser.items(section)) for section in parser.sections()}
    except (configparser.Error, ValueError) as error:
        return _problem(system, "error loading facts as ini - please check content: %s (%s)"
                        % (path, str(error).split("\n")[0]))


def _problem(system, text):
    system.warn(text)
    return text
