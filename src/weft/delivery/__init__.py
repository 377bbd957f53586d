"""Mail that is handed over one by one, by a mail server or a program: kept and indexed before it is answered."""
