//! ITL SSP and eSSP bill validators, sans-IO. Pure.
