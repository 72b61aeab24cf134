# The server as a container. docs/docker.md says how to run it, docker-compose.yml runs it so.

FROM python:3.11-slim-trixie AS build

# Compilers come in the version that Debian has; old ones cannot be had there.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends cmake g++ ninja-build \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

# Machine code for any processor of the kind, not only for the one that builds (on x86-64: with AVX2), and
# llama.cpp's own threads in place of OpenMP, whose library the runtime image does not have.
ENV CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF"
COPY constraints.txt ./
RUN python -m pip wheel --no-deps --wheel-dir /wheels --constraint constraints.txt llama-cpp-python

COPY pyproject.toml README.md LICENSE ./
COPY server server
COPY models models
COPY applescripts applescripts
RUN python -m pip wheel --find-links /wheels --wheel-dir /wheels --constraint constraints.txt .
RUN python -m venv --without-pip /opt/tinyagent \
 && python -m pip --python /opt/tinyagent/bin/python install --no-index --find-links /wheels tinyagent


FROM python:3.11-slim-trixie

LABEL org.opencontainers.image.title="tinyagent" \
      org.opencontainers.image.description="A private assistant agent: understands a request, plans it and carries it out" \
      org.opencontainers.image.licenses="MIT"

# The number is fixed so that a volume keeps its owner from one image to the next.
RUN groupadd --gid 10001 tinyagent \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin tinyagent \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data

COPY --from=build /opt/tinyagent /opt/tinyagent

# TINYAGENT_TOKEN is left out on purpose: without it nothing is served.
ENV PATH=/opt/tinyagent/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TINYAGENT_HOME=/data \
    TINYAGENT_HOST=0.0.0.0 \
    TINYAGENT_PORT=8765

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8765

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import http.client, os; server = http.client.HTTPConnection('127.0.0.1', int(os.environ['TINYAGENT_PORT']), timeout=4); server.request('GET', '/healthz'); raise SystemExit(server.getresponse().status != 200)"]

ENTRYPOINT ["tinyagent"]
CMD ["serve"]
