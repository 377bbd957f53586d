"""How two stores learn from each other, without input or output: frames and answers in, frames and requests out."""
