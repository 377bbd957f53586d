"""Rateless invertible Bloom lookup tables (Yang, Gilad, Alizadeh 2024): the difference of two sets in coded symbols."""
