#!/usr/bin/env bash
# Makes the tiny model, serves it with llama.cpp, puts Sluice in front of it, and asks it by gRPC and by
# the OpenAI door, whole and as a stream. Ends what it started. The README says what it needs.
set -euo pipefail
cd "$(dirname "$0")"

export MODEL_PORT="${MODEL_PORT:-8081}" SLUICE_PORT="${SLUICE_PORT:-50051}"
PYTHON="${PYTHON:-.venv/bin/python}"
started=()

stop() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
}
trap stop EXIT

await() { # await URL NAME LOG
  for _ in $(seq 1 300); do
    if curl -s -o /dev/null -m 1 "$1"; then return; fi
    sleep 0.2
  done
  echo "$2 does not answer at $1; see $3" >&2
  exit 69
}

show() {
  echo "\$ $*"
  "$@"
  echo
}

if [ ! -x "$PYTHON" ]; then
  echo "there is no $PYTHON: make it with the README's first commands, or set PYTHON" >&2
  exit 69
fi

"$PYTHON" make_tiny_model.py tiny.gguf
"$PYTHON" -m llama_cpp.server --model tiny.gguf --host 127.0.0.1 --port "$MODEL_PORT" --n_ctx 2048 >model-server.log 2>&1 &
started+=($!)
await "http://127.0.0.1:$MODEL_PORT/v1/models" "the model server" model-server.log

../../bin/sluice.js serve --config sluice.yaml >sluice.log 2>&1 &
started+=($!)
await "http://127.0.0.1:$SLUICE_PORT/v1/models" "Sluice" sluice.log

sluice=(npx --no-install sluice)
server=(--server "127.0.0.1:$SLUICE_PORT")
door="http://127.0.0.1:$SLUICE_PORT/v1/chat/completions"

echo "== gRPC"
show "${sluice[@]}" generate "${server[@]}" --verbose --max-tokens 24 "Say something."
show "${sluice[@]}" stream "${server[@]}" --max-tokens 24 "Say more."
echo "== the OpenAI door"
show curl -sS "$door" -H "content-type: application/json" \
  -d '{"model":"tiny","max_tokens":24,"messages":[{"role":"user","content":"Say something."}]}'
show curl -sSN "$door" -H "content-type: application/json" \
  -d '{"model":"tiny","max_tokens":6,"stream":true,"messages":[{"role":"user","content":"Say more."}]}'
echo "== what Sluice saw"
show "${sluice[@]}" metrics "${server[@]}"
