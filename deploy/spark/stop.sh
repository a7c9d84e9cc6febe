#!/bin/sh
# Stops what start.sh started, and nothing else:  deploy/spark/stop.sh [FOLDER]
set -eu

folder=${1:-.shopmill/spark}
for file in "$folder"/worker-1.pid "$folder"/worker-2.pid "$folder"/master.pid; do
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  # A pid may belong to someone else by now: only a Spark daemon is stopped.
  case "$(ps -ww -o args= -p "$pid" 2>/dev/null)" in
    *org.apache.spark.deploy.*) kill "$pid" ;;
  esac
  while ps -ww -o args= -p "$pid" 2>/dev/null | grep -q org.apache.spark.deploy; do sleep 0.2; done
  rm -f "$file"
done
