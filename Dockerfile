# The service without torch, its model and nothing else. Build: docker build --tag canhgiac:0.1.0 .
# Both stages begin with the same image, so that the venv's interpreter is where it was.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/canhgiac
WORKDIR /source
COPY pyproject.toml README.md LICENSE canhgiac.py ./
COPY data/ data/
COPY model/ model/
COPY serving/ serving/
# compiled here, because the root it runs on may be read-only
RUN /opt/canhgiac/bin/pip install --no-compile '.[serve,postgres,otel]' \
    && /opt/canhgiac/bin/python -m compileall -q /opt/canhgiac/lib

FROM python:3.11-slim-bookworm
RUN install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/canhgiac
COPY --from=build /opt/canhgiac /opt/canhgiac
# onnxruntime would report its use to its maker, and keep a device id in a home that is not there
ENV PATH=/opt/canhgiac/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    CANHGIAC_STATE_DIR=/var/lib/canhgiac
# store, first key and promoted models; the one place that must be writable
VOLUME /var/lib/canhgiac
# a number, because of a name Kubernetes cannot tell that it is not root
USER 10001:10001
WORKDIR /var/lib/canhgiac
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# one process: it has a thread for each core, and more processes are more containers
ENTRYPOINT ["canhgiac", "serve", "--host", "0.0.0.0"]
