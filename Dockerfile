# The image of the ticker and verifier pods: psmdb-ticker and psmdb-verify, and nothing else of this project.
# mongod, PBM and the S3 server of the sandbox are never put into an image: see THIRD-PARTY.
#
#   docker build -t psmdb-drill .

FROM debian:12-slim AS build
# Debian keeps only the newest version of a package in a stable release, so a pinned version breaks at the next security fix.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      gcc libc6-dev cmake ninja-build pkg-config \
      libmongoc-dev libbson-dev libcurl4-openssl-dev libcjson-dev libxxhash-dev libssl-dev libxml2-dev libyaml-dev libmicrohttpd-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release \
 && cmake --build --preset release \
 && DESTDIR=/out cmake --install build/release --component runtime --strip

FROM debian:12-slim
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates libmongoc-1.0-0 libbson-1.0-0 libcurl4 libcjson1 libxxhash0 libssl3 libxml2 libyaml-0-2 libmicrohttpd12 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/usr/local/bin/psmdb-ticker /out/usr/local/bin/psmdb-verify /usr/local/bin/
COPY LICENSE THIRD-PARTY /usr/share/doc/psmdb-drill/
# Fails the build here, and not the pod there, if a shared library is missing.
RUN psmdb-ticker --version && psmdb-verify --version
LABEL org.opencontainers.image.title="psmdb-drill" \
      org.opencontainers.image.description="ticker and verifier of a disaster-recovery drill for Percona Server for MongoDB" \
      org.opencontainers.image.licenses="Apache-2.0"
# a number, so that runAsNonRoot can be checked; nothing is written to the image's own file system
USER 65532:65532
WORKDIR /tmp
CMD ["psmdb-verify", "--help"]
