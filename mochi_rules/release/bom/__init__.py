"""The bill of materials of a release, in CycloneDX and SPDX."""
