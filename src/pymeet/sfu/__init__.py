"""The media server: it forwards encrypted media and never decodes it. `service.Sfu` is the way in; see docs/architecture.md."""
