#!/bin/sh
cat <<X
{"_meta": {"hostvars": {"h1": {"a": 1}, "ghost": {"b": 2}}}, "g1": {"hosts": ["h1","h2"], "vars": {"v": "{{ a }}"}, "children": ["g2"]}, "g2": ["h3"], "all": {"vars": {"w": 1}}, "single": {"zz": 1}}
X
