#!/bin/sh
# Starts a Spark cluster on this machine: a master and two workers, reachable on the loopback interface only.
#   deploy/spark/start.sh [FOLDER]     FOLDER holds pids, logs and scratch; default .shopmill/spark
#   then: SHOPMILL_ENGINE=spark SHOPMILL_SPARK_MASTER=spark://127.0.0.1:7077 SPARK_LOCAL_IP=127.0.0.1 shopmill run ...
# Needs: pip install 'shopmill[spark]' in the Python that PYTHON names, and Java 17.
set -eu

folder=${1:-.shopmill/spark}
python=${PYTHON:-python3}
port=${SPARK_MASTER_PORT:-7077}
web_port=${SPARK_MASTER_WEBUI_PORT:-8080}
here=$(dirname "$0")

SPARK_HOME=$("$python" -c "import os, pyspark; print(os.path.dirname(pyspark.__file__))") ||
  { echo "PySpark is not installed for $python: pip install 'shopmill[spark]'." >&2; exit 1; }
export SPARK_HOME SPARK_LOCAL_IP=127.0.0.1 SPARK_DAEMON_MEMORY=${SPARK_DAEMON_MEMORY:-256m}
mkdir -p "$folder"
for pid in "$folder"/*.pid; do
  if [ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; then
    echo "A cluster of $folder is running already: $here/stop.sh $folder stops it." >&2
    exit 1
  fi
done

start() { # NAME CLASS ARGUMENTS...: one Java process, its log and its pid
  name=$1
  shift
  nohup "$SPARK_HOME/bin/spark-class" "$@" >"$folder/$name.log" 2>&1 </dev/null &
  echo $! >"$folder/$name.pid"
}

start master org.apache.spark.deploy.master.Master --host 127.0.0.1 --port "$port" --webui-port "$web_port"
for number in 1 2; do
  start "worker-$number" org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --webui-port 0 \
    --cores "${SPARK_WORKER_CORES:-1}" --memory "${SPARK_WORKER_MEMORY:-1g}" \
    --work-dir "$folder/worker-$number" "spark://127.0.0.1:$port"
done

"$python" "$here/wait_for_workers.py" "http://127.0.0.1:$web_port/json/" 2 || { "$here/stop.sh" "$folder"; exit 1; }
echo "spark://127.0.0.1:$port"
