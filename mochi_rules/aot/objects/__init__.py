"""Relocatable objects that hold some bytes: ELF, Mach-O and COFF."""
