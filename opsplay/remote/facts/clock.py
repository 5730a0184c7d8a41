"""Facts: date and time, uptime and load."""

import datetime
import os
import time

from opsplay.remote.facts import sources


def collect(system):
    epoch = time.time()
    local = datetime.datetime.fromtimestamp(epoch)
    universal = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=epoch)  # utcfromtimestamp warns since 3.12
    return {"date_time": {
        "year": local.strftime("%Y"), "month": local.strftime("%m"), "day": local.strftime("%d"),
        "hour": local.strftime("%H"), "minute": local.strftime("%M"), "second": local.strftime("%S"),
        "weekday": local.strftime("%A"), "weekday_number": local.strftime("%w"), "weeknumber": local.strftime("%W"),
        "date": local.strftime("%Y-%m-%d"), "time": local.strftime("%H:%M:%S"),
        "epoch": str(int(epoch)), "epoch_int": str(int(epoch)),
        "iso8601": universal.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "iso8601_micro": universal.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "iso8601_basic": local.strftime("%Y%m%dT%H%M%S%f"), "iso8601_basic_short": local.strftime("%Y%m%dT%H%M%S"),
        "tz": time.strftime("%Z"), "tz_dst": time.tzname[1], "tz_offset": time.strftime("%z")}}


def uptime(system):
    words = (sources.text(system, "/proc/uptime") or "").split()
    return {"uptime_seconds": int(float(words[0]))} if words else {}


def load(system):
    one, five, fifteen = os.getloadavg()
    return {"loadavg": {"1m": one, "5m": five, "15m": fifteen}}
