"""How files come in, up to the stages that `documents/ingest.py` lists.

`bringing.py` and `intake.py` take one file or many, `receiving.py` stores the bytes, `originals.py` hands them out,
`leases.py` says who works on a version, and `company.py` takes small files through together.
"""
