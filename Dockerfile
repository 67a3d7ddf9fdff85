# One image for api, worker, courier, verify, migrate and keys; embedded servers and tests stay out of it.
FROM python:3.11.15-slim@sha256:90744cff8f32887f075c47d747a173ff333e9e98801667af93c357fa9f5e28ff

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/referrals

COPY requirements-production.lock .
RUN pip install --require-hashes -r requirements-production.lock

COPY activities activities
COPY analytics analytics
COPY api api
COPY cli cli
COPY courier courier
COPY db db
COPY domain domain
COPY integrations integrations
COPY messaging messaging
COPY referrals referrals
COPY runtime runtime
COPY workflows workflows
COPY *.py ./
# Without byte code Temporal's sandbox compiles the workflows' modules anew for each of their runs.
RUN python -m compileall -q .

# Numeric, so that Kubernetes can tell that it is not root.
RUN groupadd --gid 10001 referrals && useradd --uid 10001 --gid 10001 --no-create-home referrals
USER 10001:10001

EXPOSE 8000
ENTRYPOINT ["python", "-m", "cli"]
CMD ["api"]
