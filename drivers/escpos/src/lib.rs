//! ESC/POS receipt printers: bytes, status, proof of print, sans-IO. Pure.
