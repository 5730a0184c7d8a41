#!/bin/sh
echo '{"web": ["-oProxyCommand=id"], "_meta": {"hostvars": {}}}'
