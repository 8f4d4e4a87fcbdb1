# SPDX-License-Identifier: BSD-2-Clause
#
# Packages and images; see README.md beside this file. Included by the Makefile.

.PHONY: deb check-deb image check-image check-kubernetes

deb: dist ## build the Debian packages in build/deb
	@tests/deps.sh deb
	@.packaging/deb $(B)/$(DIST).tar.gz $(B)/deb

check-deb: dist ## lintian, reproducibility, autopkgtest, and the packages installed, used and purged
	@tests/deps.sh deb check-deb lab
	@.packaging/check-deb $(B)/$(DIST).tar.gz $(B)/check-deb

# IMAGE_BASE is what the image is built in: an image, or "debootstrap".
IMAGE		?= sctpd:latest
IMAGE_BASE	?= debian:bookworm-slim
image: ## build a container image of sctpd: IMAGE=sctpd:latest, IMAGE_BASE=debian:bookworm-slim or debootstrap
	@IMAGE_BASE="$(IMAGE_BASE)" .packaging/image "$(IMAGE)"

check-image: ## build the image without a registry, and run the demo in it without privileges
	@tests/deps.sh check-image
	@.packaging/check-image $(B)/check-image

check-kubernetes: ## hold the manifests against the schemas of Kubernetes
	@.packaging/check-kubernetes $(B)/check-kubernetes
